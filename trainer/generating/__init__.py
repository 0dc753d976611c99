"""The parts of a generation run: the pace of asking, the ledger of calls, the judge, the loop."""
