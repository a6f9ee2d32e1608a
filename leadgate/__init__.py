"""The core of leadgate: how leads are read, decided, sent and remembered. It never imports Prefect."""
