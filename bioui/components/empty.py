"""What an empty list shows: what will be here, and the one next step."""


def empty_state(title: str, sentence: str, *, href: str = "", link: str = "") -> dict[str, str]:
    """The value that list-like components show in place of nothing."""
    return {"title": title, "sentence": sentence, "href": href, "link": link}


# For inclusion in a template, where `value.empty` holds an empty_state.
TEMPLATE = """
<div class="empty"><h3>{{value.empty.title}}</h3><p>{{value.empty.sentence}}</p>
{{#if value.empty.href}}<p><a href="{{value.empty.href}}">{{value.empty.link}}</a></p>{{/if}}</div>
"""
