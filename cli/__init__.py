"""The `leadgate` command: one file a group of verbs, flows imported only when one is run."""
