"""Files in and out: sniff, read, map, preview and store; select and write; push to the Hub."""
