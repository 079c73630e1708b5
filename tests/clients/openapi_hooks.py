"""What schemathesis cannot know of a server from its OpenAPI document alone: which things there are.

It reads `GOALPOST_THINGS`, the ids that `openapi.py` has found. Of the values that fit the document most are replaced
by real ones, always the same for the same request; what was made not to fit stays as it is.
"""

import json
import os
import uuid
import zlib

import schemathesis

THINGS = json.loads(os.environ["GOALPOST_THINGS"])
CONDITIONS = [
    "id gt 0",
    "id in (1, 2) or not (id lt 100)",
    "id ne null",
]
ADMITTED = 8
"""One value in so many stays what chance has made of it."""


@schemathesis.hook
def before_call(context, case, kwargs):
    chance = zlib.crc32(repr((case.method, case.path, case.path_parameters, case.query, case.body)).encode())
    parameters = case.path_parameters or {}
    for name, value in parameters.items():
        kind = kind_of(case.path, name)
        if fits(kind, value) and chance % ADMITTED:
            parameters[name] = thing(kind, chance)
            chance = zlib.crc32(str(chance).encode())
    query = case.query or {}
    if isinstance(query.get("$filter"), str) and "views" not in case.path and chance % ADMITTED:
        query["$filter"] = CONDITIONS[chance % len(CONDITIONS)]
    if isinstance(query.get("$skiptoken"), str) and chance % ADMITTED:
        del query["$skiptoken"]
    # Only bodies that fit the document.
    if case.meta and case.meta.generation.mode.value == "positive" and isinstance(case.body, dict):
        replace_ids(case.body, chance)
        if chance % ADMITTED:
            make_sensible(case.path, case.method, case.body, chance)


@schemathesis.hook
def after_call(context, case, response):
    mode = case.meta.generation.mode.value
    with open(os.environ["GOALPOST_ANSWERS"], "a") as file:
        file.write(f"{mode} {case.method} {case.path} {response.status_code}\n")


def kind_of(path: str, name: str) -> str:
    """Which set a parameter of a path is a key of."""
    return path[: path.index("{" + name + "}")].rstrip("/").rsplit("/", 1)[-1]


MEMBERS = {
    "owners": "people", "checkInOwners": "people", "viewers": "people", "delegateId": "people",
    "teams": "teams", "tags": "tags", "periodId": "periods", "parents": "goals", "weights": "goals", "id": "goals",
}


METRIC = ["metricName", "metricUnit", "metricStart", "metricTarget", "targetType", "riskThreshold"]


def make_sensible(path: str, method: str, body: dict, chance: int):
    """What a schema cannot say: members that need each other, or that only go with some others."""
    if path.endswith("/goals") and method == "POST":
        body.setdefault("title", "Invented")
        body.setdefault("objectType", "objective")
        body.setdefault("periodId", thing("periods", chance))
    if path.endswith("/weights") and len({"reset", "weights"} & set(body)) != 1:
        body.clear()
        body["reset"] = True
    if path.endswith("/checkIns") and not body:
        body["value"] = chance % 100
    for name in ["startDate", "endDate", "asOfDate", "phasedInterval", "phasedTargets", *METRIC]:
        if chance % 3:
            body.pop(name, None)
    if chance % 3 and body.get("outcomeType") == "Metric":
        body |= {"targetType": "reach", "metricTarget": 10, "metricName": "Rows"}


def replace_ids(body: dict, chance: int):
    """Put real numbers where a body names things."""
    for name, value in body.items():
        kind = MEMBERS.get(name)
        if kind is None or not (chance := zlib.crc32(str(chance).encode())) % ADMITTED:
            continue
        if fits(kind, value):
            body[name] = thing(kind, chance)
        elif isinstance(value, list):
            for place, item in enumerate(value):
                if fits(kind, item):
                    value[place] = thing(kind, chance + place)
                elif isinstance(item, dict) and fits(kind, item.get("id")):
                    item["id"] = thing(kind, chance + place)


def thing(kind: str, chance: int):
    return THINGS[kind][chance % len(THINGS[kind])]


def fits(kind: str, value) -> bool:
    """Whether it could be a key of that set."""
    if kind not in THINGS:
        return False
    if kind in ("organizations", "views"):
        try:
            return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
        except ValueError:
            return False
    return isinstance(value, int) and not isinstance(value, bool)
