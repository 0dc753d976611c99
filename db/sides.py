"""The sides of comparisons: of which answer, and under which name."""

from sqlalchemy.orm import Session

from db import endpoints, registry
from db.compare_spec import SideSpec
from db.tables import Adapter, Answer, Endpoint


def of_answer(answer: Answer) -> SideSpec:
    """The side that gave an answer."""
    if answer.endpoint_id is not None:
        return SideSpec(endpoint_id=answer.endpoint_id, model=answer.model)
    if answer.adapter_id is not None:
        return SideSpec(adapter_id=answer.adapter_id, step=answer.step)
    return SideSpec(base_model_id=answer.base_model_id)


def title_of(session: Session, side: SideSpec) -> str:
    """What a column is headed with. Raises LookupError for a side that is gone."""
    if side.base_model_id is not None:
        return registry.get_base_model(session, side.base_model_id).name
    if side.adapter_id is not None:
        name = registry.get_adapter(session, side.adapter_id).name
        return name if side.step is None else f"{name}, step {side.step:,}"
    endpoint = endpoints.get_endpoint(session, side.endpoint_id)
    return f"{side.model or endpoint.model} at {endpoint.name}"


def label_of(session: Session, side: SideSpec) -> str:
    """`title_of`, also for a side that is gone: what it answered and the votes on that stay."""
    try:
        return title_of(session, side)
    except LookupError:
        return f"{_removed_name(session, side)} (removed)"


def _removed_name(session: Session, side: SideSpec) -> str:
    if side.adapter_id is not None:
        adapter = session.get(Adapter, side.adapter_id)
        return adapter.name if adapter else f"adapter {side.adapter_id}"
    if side.endpoint_id is not None:
        endpoint = session.get(Endpoint, side.endpoint_id)
        return f"{side.model or endpoint.model} at {endpoint.name}" if endpoint else "a model"
    return f"base {side.base_model_id}"
