"""A status in one word with its mark; the hue never stands alone."""

# For inclusion in a template where `chip` holds a chip_value: {{#with value.chip}}...{{/with}}
TEMPLATE = '<span class="chip chip-{{hue}}"><span class="chip-mark" aria-hidden="true"></span>{{text}}</span>'


def chip_value(text: str, hue: str) -> dict[str, str]:
    """`hue` is draft, review, approved, attention, base or tuned."""
    return {"text": text, "hue": hue}
