"""The browser side. Imports db and gradio; never torch, never the trainer, no SQL of its own."""

import os

# Read when gradio is imported, so they stand before every import of it.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
