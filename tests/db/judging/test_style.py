"""A judge sees what is said, not how it looks; no word of substance is lost."""

import pytest

from db.judging.style import plain


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("## Plan\n\n- **Stop** metformin\n- Check `eGFR`", "Plan\nStop metformin\nCheck eGFR"),
        ("Sure! The answer is *no*.", "The answer is no."),
        ("Certainly not: it is contraindicated.", "Certainly not: it is contraindicated."),
        ("Of course. Give 5 mg.\n\nLet me know if you have questions.", "Give 5 mg."),
        ("Dear Anna, rest for two days. I hope this helps you.", "rest for two days."),
        ("```\nPotassium 2.9 mmol/L\n```", "Potassium 2.9 mmol/L"),
        ("HLA_B27 and HLA_DR4 stay, 2 * 3 * 4 too.", "HLA_B27 and HLA_DR4 stay, 2 * 3 * 4 too."),
        ("-5 mmol/L is the base excess.", "-5 mmol/L is the base excess."),
        ("Hello!", "Hello!"),
        ("", ""),
    ],
)
def test_looks_go_and_words_stay(written, shown):
    assert plain(written) == shown
