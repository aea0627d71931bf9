"""Chooses the project of a control request: by its key, by its name, or the mock's only one."""

from __future__ import annotations

from mockserver.control.errors import Refused
from mockserver.domain.store import Project, Store

_MOST_NAMES = 20


def choose(store: Store, authorization: str | None, name: str | None) -> Project:
    """The project of an Authorization header or of a name; one of them is needed unless there is a single project.

    Raises Refused: 400 when the request names no project or two, 404 for one that does not exist. Keys are never shown.
    """
    by_name = None if name is None else store.by_name.get(name)
    if name is not None and by_name is None:
        raise Refused("project", f"there is no project {name[:80]!r}; {_names(store)}", 404)
    if authorization is not None:
        by_key = _of_key(store, authorization)
        if by_name is not None and by_name is not by_key:
            raise Refused("project", "the key in Authorization belongs to another project", fix="give only one of them")
        return by_key
    if by_name is not None:
        return by_name
    if len(store.projects) == 1:
        return store.projects[0]
    fix = "add the header Authorization: Token KEY, or ?project=NAME"
    raise Refused("project", f"the request does not say which project it is for; {_names(store)}", fix=fix)


def _of_key(store: Store, authorization: str) -> Project:
    words = authorization.split()
    if len(words) != 2 or words[0].lower() != "token":
        raise Refused("Authorization", "is malformed", fix="write Authorization: Token KEY")
    project = store.by_key.get(words[1])
    if project is None:
        raise Refused("Authorization", "no project has this key", 404, fix="name the project with ?project=NAME")
    return project


def _names(store: Store) -> str:
    names = [project.name for project in store.projects]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"the mock's projects: {', '.join(names[:_MOST_NAMES]) or 'none'}{more}"
