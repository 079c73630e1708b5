"""python-odata, unchanged, against `/api/v1` of a built `goalpost`: types and relations by $metadata, reading, writing.

    python odata_python.py target/debug/goalpost

What its filters are is read by odata-query too: whatever the server understands is OData for somebody else, and the
other way round. Prints one line per check and ends with `N passed, M failed`.
"""

import sys

import odata_query.exceptions
import odata_query.grammar
import requests
from odata import ODataService
from odata.exceptions import NoResultsFound, ODataError
from odata.flags import ODataServerFlags

import goalpost
from checks import Checks
from goalpost import ORGANIZATION

GOALS = 2_500
"""More than two pages of them."""


class Client:
    """The library on one server, with one person's token."""

    def __init__(self, address: str, token: str):
        self.root = f"{address}/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.service = ODataService(
            self.root,
            reflect_entities=True,
            session=self.session,
            quiet_progress=True,
            # Without it a new thing is sent with null for whatever it does not say.
            server_flags=ODataServerFlags(skip_null_properties=True),
        )

    def type_of(self, name: str, collection: str):
        """The type of that name in $metadata, as that of a collection of the organization."""
        return type(name, (self.service.types[f"goalpost.{name}"],), {
            "__odata_collection__": f"organizations({ORGANIZATION})/{collection}",
            "__odata_singleton__": False,
        })

    def organization(self):
        return self.service.query(self.service.entities["organizations"]).one()

    def count(self, collection: str, condition: str) -> requests.Response:
        address = f"{self.root}/organizations/{ORGANIZATION}/{collection}/$count"
        return self.session.get(address, params={"$filter": condition})


def types_and_relations_are_found_by_their_metadata(client: Client):
    names = {name.removeprefix("goalpost.") for name in client.service.types}
    assert {"organization", "goal", "checkIn", "comment", "task", "person", "team", "period", "tag", "view"} <= names, names
    assert list(client.service.entities) == ["organizations"]
    organization = client.organization()
    assert (str(organization.id), organization.name) == (ORGANIZATION, client.name), organization.id


def relations_lead_to_what_belongs_to_a_thing(client: Client):
    organization = client.organization()
    assert {period.name for period in organization.periods}
    assert len(organization.people) > 10
    goal_type = client.type_of("goal", "goals")
    goal = client.service.query(goal_type).filter(goal_type.checkInCount > 1).first()
    said = goal.checkIns
    assert len(said) == goal.checkInCount, (len(said), goal.checkInCount)
    assert {check_in.goalId for check_in in said} == {goal.id}


def a_list_of_many_pages_is_read_to_its_end(client: Client):
    goal_type = client.type_of("goal", "goals")
    query = client.service.query(goal_type)
    everything = list(query)
    assert len(everything) == query.count() > 2_000, len(everything)
    assert len({goal.id for goal in everything}) == len(everything)
    assert [goal.id for goal in everything] == sorted(goal.id for goal in everything)


def lists_are_filtered_sorted_and_cut(client: Client):
    goal_type = client.type_of("goal", "goals")
    query = client.service.query(goal_type)
    everything = list(query)
    # The library takes an Edm.Double for a text, so this condition is written by hand.
    late = query.filter(goal_type.status == "At Risk").filter("progressPercent lt 50")
    expected = {g.id for g in everything if g.status == "At Risk" and (g.progressPercent or 0) < 50 and g.progressPercent is not None}
    assert {goal.id for goal in late} == expected, "two conditions"
    named = query.filter(goal_type.title.contains(everything[0].title.split()[0]))
    assert everything[0].id in {goal.id for goal in named}
    first = query.order_by(goal_type.progressPercent.desc(), goal_type.id.asc()).limit(5).all()
    best = sorted(everything, key=lambda g: (-(g.progressPercent if g.progressPercent is not None else float("-inf")), g.id))
    assert [goal.id for goal in first] == [goal.id for goal in best[:5]]
    third = query.order_by(goal_type.id.asc()).offset(2).limit(1).all()
    assert [goal.id for goal in third] == [everything[2].id]
    chosen = query.select(goal_type.id, goal_type.title).limit(2).all()
    assert [set(row) for row in chosen] == [{"id", "title"}] * 2, chosen
    assert query.get(everything[7].id).title == everything[7].title
    assert query.filter(goal_type.lastUpdatedDateTime > everything[0].createdDateTime).count() >= 0


def a_goal_is_made_changed_and_taken_away(client: Client):
    goal_type = client.type_of("goal", "goals")
    period = client.organization().periods[0]
    goal = goal_type()
    goal.title, goal.objectType, goal.periodId = "Written by a library", "objective", period.id
    client.service.save(goal)
    assert goal.id and goal.status == "Not Started", goal.id
    goal.title = "Written again"
    client.service.save(goal)
    read = client.service.query(goal_type).get(goal.id)
    assert read.title == "Written again", read.title
    address = f"{client.root}/organizations({ORGANIZATION})/goals({goal.id})"
    stale = client.session.patch(address, json={"title": "Too late"}, headers={"If-Match": '"stale"'})
    assert stale.status_code == 412, stale.text
    client.service.delete(goal)
    try:
        client.service.query(goal_type).get(goal.id)
    except NoResultsFound:
        return
    raise AssertionError(f"{goal.id} is still there")


def errors_say_what_is_wrong(client: Client):
    goal_type = client.type_of("goal", "goals")
    query = client.service.query(goal_type)
    refused(lambda: query.filter("colour eq 1").all(), "HTTP 400", "BadRequest", "colour")
    refused(lambda: query.raw({"$expand": "checkIns"}), "HTTP 400", "BadRequest", "$expand")
    nowhere = type("nowhere", (client.service.types["goalpost.goal"],), {"__odata_collection__": "colours"})
    refused(lambda: client.service.query(nowhere).all(), "HTTP 404", "notFound")
    wrong = goal_type()
    wrong.title = ""
    refused(lambda: client.service.save(wrong), "HTTP 400", "badRequest")


def refused(call, status: str, code: str, says: str = ""):
    """An error of the library's that has the server's code and message."""
    try:
        answer = call()
    except ODataError as error:
        assert (error.status_code, error.code) == (status, code), error
        assert says in error.message, error.message
        return
    raise AssertionError(f"answered {answer!r} instead of {status}")


FILTERS = [
    ("goals", "title eq 'O''Neill'"),
    ("goals", "progress gt 0.5 and progress le 99.5"),
    ("goals", "not (status eq 'At Risk' or status eq 'Behind')"),
    ("goals", "status in ('At Risk', 'Behind')"),
    ("goals", "id in (1, 2, 3)"),
    ("goals", "startDate ge 2026-01-01"),
    ("goals", "lastUpdatedDateTime lt 2026-01-31T12:00:00Z"),
    ("goals", "createdDateTime ge 2026-01-31T12:00:00.123+02:00"),
    ("goals", "contains(tolower(title), 'tree')"),
    ("goals", "startswith(title, 'a') eq true"),
    ("goals", "endswith(title, 'a')"),
    ("goals", "description eq null"),
    ("goals", "description ne null and isRestricted"),
    ("goals", "isRestricted eq false"),
    ("goals", "metricStart eq -1.5e3"),
    ("views", f"id eq {goalpost.VIEW}"),
    ("people", "toupper(email) eq 'ADA@CONTOSO.EXAMPLE'"),
]
NO_FILTERS = ["title eq", "eq 'a'", "(title eq 'a'", "title eq 'a", "title = 'a'", "title eq 'a' and", "in (1)"]


def filters_are_odata_for_another_reader_too(client: Client):
    for collection, text in FILTERS:
        parse(text)
        answer = client.count(collection, text)
        assert answer.status_code == 200, f"{text}: {answer.text}"
    for text in NO_FILTERS:
        try:
            parse(text)
        except odata_query.exceptions.ODataException:
            assert client.count("goals", text).status_code == 400, text
        else:
            raise AssertionError(f"odata-query reads {text}")


def parse(text: str):
    return odata_query.grammar.ODataParser().parse(odata_query.grammar.ODataLexer().tokenize(text))


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python odata_python.py PATH-OF-GOALPOST", file=sys.stderr)
        return 2
    checks = Checks()
    with goalpost.demo(sys.argv[1], goals=GOALS) as (server, owner):
        token = server.token(owner, "--scope", "Goals.ReadWrite.All")
        name = server.json("org", "list")[0]["name"]
        with server.serve() as address:
            client = Client(address, token)
            client.name = name
            checks.run(types_and_relations_are_found_by_their_metadata, client)
            checks.run(relations_lead_to_what_belongs_to_a_thing, client)
            checks.run(a_list_of_many_pages_is_read_to_its_end, client)
            checks.run(lists_are_filtered_sorted_and_cut, client)
            checks.run(a_goal_is_made_changed_and_taken_away, client)
            checks.run(errors_say_what_is_wrong, client)
            checks.run(filters_are_odata_for_another_reader_too, client)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
