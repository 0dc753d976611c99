"""The starter model: a miniature base, the text it learns from, and a demo set to tune it on."""
