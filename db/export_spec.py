"""What an export is asked to do: an adapter as other tools take it, in a folder or on the Hub."""

from dataclasses import dataclass

from db.spec_fields import option, require_choice

FORMS = ("adapter", "merged")


@dataclass(frozen=True)
class ExportSpec:
    """One export. Raises ValueError naming the field that cannot be."""

    adapter_id: int
    form: str = option(
        "adapter",
        "Adapter: the PEFT folder, small, to be put on its base. Merged: a whole model with the update "
        "worked in, for servers that know no adapters.",
    )
    repository: str = option(
        "", "owner/name on the Hugging Face Hub to push to. Empty: it stays in a folder."
    )
    private: bool = option(True, "Only the owner and who is let in can see the repository.")

    def __post_init__(self) -> None:
        require_choice(self, "form", FORMS)
