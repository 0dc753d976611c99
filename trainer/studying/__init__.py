"""What a study does itself, beside asking for runs: experts merged."""
