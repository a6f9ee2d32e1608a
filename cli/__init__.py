"""The `leadgate` command: one file a group of verbs, flows imported only when one is run."""

import tasks  # noqa: F401 - it knows how the blocks that a pipeline file names are read
