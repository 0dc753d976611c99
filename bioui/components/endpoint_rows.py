"""Endpoints in plain words: price, limits, whether the key is set here, and what the last test found."""

import os
from collections.abc import Sequence

from bioui.components.empty import empty_state
from bioui.components.table import Column, cell, table_value
from bioui.handling import Problem
from bioui.present import ago, exact
from db import addresses
from db.endpoints import OWN
from db.tables import Endpoint

COLUMNS = (
    Column("Endpoint", "long"), Column("Model", "mono"), Column("Last test", "status"), Column("Key"),
    Column("Price per million", "num"), Column("Limits"),
)  # fmt: skip
NOTHING = empty_state("", "")  # an empty list shows endpoint_start instead


def rows_value(rows: Sequence[Endpoint], *, current_id: int = 0) -> dict:
    """The table."""
    listed = [
        {
            "id": endpoint.id,
            "opens": True,
            "cells": [
                cell(endpoint.name, note=where(endpoint), title=endpoint.base_url),
                cell(endpoint.model),
                _test_cell(endpoint),
                _key_cell(endpoint),
                cell(*price_words(endpoint)[:1], note=price_words(endpoint)[1]),
                cell(limit_words(endpoint)[0], note=", ".join(limit_words(endpoint)[1:])),
            ],
        }
        for endpoint in rows
    ]
    return table_value(COLUMNS, listed, empty=NOTHING, current_id=current_id)


def where(endpoint: Endpoint) -> str:
    """The host and port, or the studio itself."""
    return "This studio" if endpoint.base_url == OWN else host_words(endpoint.base_url)


def host_words(base_url: str) -> str:
    """`api.openai.com`, `127.0.0.1:8000`: the port where it is none of the scheme's own."""
    host, port = addresses.host_and_port(base_url)
    host = f"[{host}]" if ":" in host else host
    return host if port in (80, 443) else f"{host}:{port}"


def is_set(variable: str) -> bool:
    """Whether an environment variable holds anything where the studio runs. Its value goes no further."""
    return bool(os.environ.get(variable, "").strip())


def price_words(endpoint: Endpoint) -> tuple[str, str]:
    """(`2.50 in`, `10 out`); ("free", "") for the studio's own, ("not given", "") where none was entered."""
    if endpoint.base_url == OWN:
        return "free", ""
    found = [
        f"{_money(price)} {way}"
        for price, way in ((endpoint.price_in, "in"), (endpoint.price_out, "out"))
        if price is not None
    ]
    return (*found, "")[:2] if found else ("not given", "")


def limit_words(endpoint: Endpoint) -> list[str]:
    """`4 at once`, `60 requests a minute`, `90,000 tokens a minute`: those that are set."""
    told = [f"{endpoint.concurrency:,} at once"]
    if endpoint.requests_per_minute:
        told.append(f"{endpoint.requests_per_minute:,} requests a minute")
    if endpoint.tokens_per_minute:
        told.append(f"{endpoint.tokens_per_minute:,} tokens a minute")
    return told


def failure_words(endpoint: Endpoint) -> str:
    """`12 min ago: Nothing answers at 127.0.0.1; ...`: the last test, where it failed."""
    sentence = Problem.of(ValueError(endpoint.test_trouble)).text  # without the name of the field
    return f"{ago(endpoint.test_failed_at)}: {sentence}"


def _test_cell(endpoint: Endpoint) -> dict:
    if endpoint.test_failed_at:
        told = failure_words(endpoint)
        return cell("Failed", chip="attention", note=told, title=exact(endpoint.test_failed_at))
    if endpoint.tested_at:
        note, title = ago(endpoint.tested_at), exact(endpoint.tested_at)
        return cell("Answered", chip="approved", note=note, title=title)
    return cell("Not tested", chip="draft")


def _key_cell(endpoint: Endpoint) -> dict:
    if not endpoint.key_variable:
        return cell("none")
    told = "set here" if is_set(endpoint.key_variable) else "not set here"
    return cell(endpoint.key_variable, note=told)


def _money(amount: float) -> str:
    """`10`, `2.50`, `0.075`."""
    if amount == int(amount):
        return f"{amount:,.0f}"
    return f"{amount:,.2f}" if round(amount, 2) == amount else f"{amount:,.4g}"
