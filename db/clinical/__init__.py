"""What clinical text says: drugs, doses, quantities, findings and what is denied, found by rules. Pure."""
