"""The regression gate from the shell: an adapter's verdict, waived with a reason. See trainer.__main__."""

import argparse
from collections.abc import Callable

from db import gates, projects, registry
from db.session import write
from db.settings import Settings
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's command; `action(name, act, help)` gives its parser."""
    asking = action("gate", gate, "whether an adapter passes the regression gate; 1 where it fails")
    asking.add_argument("adapter", help="its name")
    asking.add_argument("--project", help="name of the project; the first unless given")
    change = asking.add_mutually_exclusive_group()
    change.add_argument("--waive", metavar="REASON", help="let it leave although it fails, and say why")
    change.add_argument("--withdraw", action="store_true", help="take the waiver back")
    add_acting(asking)


def gate(settings: Settings, options: argparse.Namespace) -> int:
    """0 where the gate lets it go: it passes, is waived, is not measured, or there is no gate."""
    open_studio(settings)
    with write() as s:
        project = named(projects.list_projects(s), options.project, "project")
        adapter = named(registry.list_adapters(s, project.id), options.adapter, "adapter")
        if options.waive is not None:
            gates.waive(s, actor_of(s, options), adapter.id, options.waive)
        if options.withdraw:
            gates.withdraw_waiver(s, actor_of(s, options), adapter.id)
        found = gates.verdict(s, adapter)
    say(found.sentence)
    return int(found.state is gates.State.FAILED and found.waiver is None)
