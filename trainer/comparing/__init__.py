"""A batch's prompts put to its sides: to those here from one base in memory, to others at their endpoints."""
