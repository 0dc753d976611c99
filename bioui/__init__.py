"""The browser side. Imports db and gradio; never torch, never the trainer, no SQL of its own."""

import os

# Read when gradio is imported, so they stand before every import of it.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# After every event Gradio works out how long each of its functions took, anew over all events so far: half of
# what an event costs by the five-hundredth. Nobody reads it here; monitoring is off.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(2**62))
