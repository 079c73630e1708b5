"""Microsoft's own Python client, unchanged but for the host it speaks to, against a built `goalpost`.

    python msgraph_beta_sdk.py target/debug/goalpost

Prints one line per check and ends with `N passed, M failed`.
"""

import asyncio
import csv
import io
import sys
import time
import traceback
import uuid

from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_http.middleware.options import HeadersInspectionHandlerOption
from msgraph_beta import GraphRequestAdapter, GraphServiceClient
from msgraph_beta.generated.employee_experience.goals.export_jobs.export_jobs_request_builder import (
    ExportJobsRequestBuilder,
)
from msgraph_beta.generated.models.goals_export_job import GoalsExportJob
from msgraph_beta.generated.models.long_running_operation_status import LongRunningOperationStatus as Status
from msgraph_beta.generated.models.o_data_errors.o_data_error import ODataError
from msgraph_core.tasks.page_iterator import PageIterator

import goalpost
from goalpost import ORGANIZATION, VIEW

ListOptions = ExportJobsRequestBuilder.ExportJobsRequestBuilderGetQueryParameters
PATIENCE_SECONDS = 60


class Token(AccessTokenProvider):
    """Hands the client the token that it is made with."""

    def __init__(self, token: str):
        self._token = token

    async def get_authorization_token(self, uri, additional_authentication_context=None) -> str:
        return self._token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


class Client:
    """The SDK's client of one server, with one person's token."""

    def __init__(self, address: str, token: str):
        self.adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Token(token)))
        self.adapter.base_url = f"{address}/beta"
        self.jobs = GraphServiceClient(request_adapter=self.adapter).employee_experience.goals.export_jobs

    async def create(self, view: str = VIEW, organization: str = ORGANIZATION, headers=None) -> GoalsExportJob:
        body = GoalsExportJob(goals_organization_id=organization, explorer_view_id=view)
        return await self.jobs.post(body, with_options(headers=headers))

    def job(self, key: str):
        return self.jobs.by_goals_export_job_id(key)

    async def finished(self, key: str) -> GoalsExportJob:
        """Poll as the documentation says, by the answer's Retry-After, until the job is at its end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            headers = HeadersInspectionHandlerOption()
            job = await self.job(key).get(with_options(headers=headers))
            if job.status in (Status.Succeeded, Status.Failed):
                assert not headers.response_headers.try_get("retry-after")
                return job
            await asyncio.sleep(int(one(headers.response_headers.get("retry-after"))))
        raise AssertionError(f"{key} is still {job.status} after {PATIENCE_SECONDS} seconds")


class Checks:
    """Runs checks, prints a line for each and counts them."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    async def run(self, check, *arguments):
        name = check.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            await check(*arguments)
        except Exception:
            self.failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
        else:
            self.passed += 1
            print(f"ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)


def with_options(query=None, headers=None) -> RequestConfiguration:
    return RequestConfiguration(query_parameters=query, options=[headers] if headers else [])


def one(values) -> str:
    (value,) = values
    return value


async def refused(call, status: int, code: str, inner: str | None, message: str) -> ODataError:
    """The error of a call that must fail: code, message and inner code stand where the SDK's models have them."""
    try:
        answer = await call
    except ODataError as error:
        assert error.response_status_code == status, error
        assert error.error.code == code, error.error.code
        assert message in error.error.message, error.error.message
        # The 409 of the documentation spells the member in lower case, all other errors do not.
        lower_case = error.error.additional_data.get("innererror")
        details = lower_case or error.error.inner_error.additional_data
        assert details.get("code") == inner, details
        request_id = lower_case["request-id"] if lower_case else error.error.inner_error.request_id
        assert str(request_id) == header(error, "request-id"), request_id
        return error
    raise AssertionError(f"answered {answer!r} instead of {status}")


def header(error: ODataError, name: str) -> str:
    headers = {key.lower(): value for key, value in dict(error.response_headers).items()}
    return headers[name]


# A server that takes its time, and whose view `failing` fails.


async def an_export_is_created_polled_and_downloaded(client: Client):
    headers = HeadersInspectionHandlerOption()
    created = await client.create(headers=headers)
    assert created.status == Status.NotStarted
    assert created.created_date_time.tzinfo is not None
    location = one(headers.response_headers.get("location"))
    assert location == f"{client.adapter.base_url}/employeeexperience/goals/exportJobs/{created.id}", location

    job = await client.finished(created.id)
    assert job.status == Status.Succeeded
    assert (job.id, job.created_date_time) == (created.id, created.created_date_time)
    assert (job.goals_organization_id, job.explorer_view_id) == (ORGANIZATION, VIEW)
    assert job.expiration_date_time > job.created_date_time
    assert job.resource_location == f"{location}/content"

    content = await client.job(created.id).content.get()
    records = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    assert records[0][:2] == ["Id", "Title"], records[0]
    assert len(records) > 100
    assert {len(record) for record in records} == {len(records[0])}
    assert await client.job(created.id).content.get() == content


async def every_state_is_seen_on_the_way(client: Client):
    created = await client.create()
    seen = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Status.Succeeded not in seen and time.monotonic() < deadline:
        job = await client.job(created.id).get()
        assert job.status is not None
        assert (job.resource_location is not None) == (job.status == Status.Succeeded)
        if job.status not in seen:
            seen.append(job.status)
        await asyncio.sleep(0.1)
    assert seen == [Status.NotStarted, Status.Running, Status.Succeeded], seen


async def a_second_export_of_the_pair_is_refused_with_the_first_ones_id(client: Client):
    created = await client.create()
    error = await refused(
        client.create(), 409, "notAllowed", "exportJobAlreadyExists",
        "Another export job is still active or waiting to be executed",
    )
    assert error.error.target == created.id
    assert header(error, "location").endswith(f"/employeeexperience/goals/exportJobs/{created.id}")
    await client.finished(created.id)


async def of_simultaneous_requests_one_creates(client: Client):
    answers = await asyncio.gather(*(client.create() for _ in range(8)), return_exceptions=True)
    created = [answer for answer in answers if isinstance(answer, GoalsExportJob)]
    job = one(created)
    for error in (answer for answer in answers if answer is not job):
        assert error.response_status_code == 409 and error.error.target == job.id
    await client.finished(job.id)


async def content_of_a_pending_export_is_refused(client: Client):
    created = await client.create()
    error = await refused(
        client.job(created.id).content.get(), 409, "notAllowed", "exportJobNotCompleted", "not completed"
    )
    assert error.error.target == created.id
    assert int(header(error, "retry-after")) >= 1
    await client.finished(created.id)


async def a_failed_export_says_so_and_has_no_content(client: Client, failing: str):
    created = await client.create(failing)
    job = await client.finished(created.id)
    assert job.status == Status.Failed and job.resource_location is None
    await refused(client.job(created.id).content.get(), 409, "notAllowed", "exportJobFailed", "failed")


async def a_wrong_pair_is_refused(client: Client):
    unknown = str(uuid.uuid4())
    await refused(
        client.create(organization="contoso"), 400, "badRequest", "invalidGoalsOrganizationId",
        "'GoalsOrganizationId' must be specified in 'Export Job', and it should be a valid GUID.",
    )
    await refused(
        client.create(organization=unknown), 404, "notFound", "goalsOrganizationIdNotFound",
        "Goals organization not found",
    )
    await refused(
        client.create("all"), 400, "badRequest", "invalidExplorerViewId",
        "'ExplorerViewId' must be specified in 'Export Job', and it should be a valid GUID.",
    )
    await refused(client.create(unknown), 404, "notFound", "explorerViewIdNotFound", "Explorer view not found")


async def a_wrong_key_is_refused(client: Client):
    # The keys of the documentation: too short, and well-formed but of no export.
    for call in (client.job("j!eyJfdHlwZSI6Ikdyb3VwIiwiaWQiOiI4MzIxMj").get(), client.job("nope").content.get()):
        await refused(call, 400, "badRequest", "unknown", "Invalid JobKey specified")
    unknown = "j!eyJfdHlwZSI6Ikdyb3VwIiwiaWQiOiI4MzIxMjc1In1"
    for call in (client.job(unknown).get(), client.job(unknown).content.get()):
        await refused(call, 404, "notFound", "exportJobNotFound", "Specified export job not found")


async def exports_are_filtered_by_organization(client: Client):
    async def listed(organization: str):
        query = ListOptions(filter=f"goalsOrganizationId eq '{organization}'", count=True)
        return await client.jobs.get(with_options(query))

    page = await listed(ORGANIZATION)
    assert page.odata_count == len(page.value) >= 5
    assert all(job.goals_organization_id == ORGANIZATION for job in page.value)
    times = [job.created_date_time for job in page.value]
    assert times == sorted(times, reverse=True)
    nothing = await listed(str(uuid.uuid4()))
    assert (nothing.odata_count, nothing.value) == (0, [])


async def exports_are_listed_page_by_page(client: Client):
    whole = await client.jobs.get()
    assert whole.odata_next_link is None
    first = await client.jobs.get(with_options(ListOptions(top=2)))
    assert len(first.value) == 2 and first.odata_next_link.startswith(client.adapter.base_url)
    ids = []
    pages = PageIterator(first, client.adapter)
    await pages.iterate(lambda job: ids.append(job.id) or True)
    assert ids == [job.id for job in whole.value]


async def exports_are_counted(client: Client):
    whole = await client.jobs.get()
    assert await client.jobs.count.get() == len(whole.value)


async def only_what_is_selected_is_answered(client: Client):
    whole = await client.jobs.get(with_options(ListOptions(select=["id", "status"])))
    for job in whole.value:
        assert job.id and job.status and not job.goals_organization_id and not job.created_date_time


async def options_that_are_not_offered_are_refused(client: Client):
    async def refused_list(query: ListOptions, code: str, inner: str | None, message: str):
        await refused(client.jobs.get(with_options(query)), 400, code, inner, message)

    by_view = ListOptions(filter=f"explorerViewId eq '{VIEW}'")
    await refused_list(by_view, "badRequest", "unknown", "Invalid filter keys found: explorerViewId")
    await refused_list(ListOptions(filter="goalsOrganizationId eq"), "BadRequest", None, "Invalid filter clause")
    await refused_list(ListOptions(top=-1), "BadRequest", None, "non-negative integer")
    await refused_list(ListOptions(search="goals"), "BadRequest", None, "search")
    await refused_list(ListOptions(expand=["content"]), "BadRequest", None, "expand")


async def methods_that_are_not_offered_are_refused(client: Client):
    job = one((await client.jobs.get(with_options(ListOptions(top=1)))).value)
    for call in (client.job(job.id).delete(), client.job(job.id).patch(GoalsExportJob())):
        error = await refused(call, 405, "methodNotAllowed", None, "not allowed")
        assert header(error, "allow") == "GET"


# People who may not.


async def without_a_good_token_nothing_is_answered(address: str):
    for token, message in (("", "empty"), ("nonsense", "no dots"), ("a.b.c", "Access token validation failure")):
        jobs = Client(address, token).jobs
        error = await refused(jobs.get(), 401, "InvalidAuthenticationToken", None, message)
        assert header(error, "www-authenticate").startswith("Bearer")


async def a_token_to_read_creates_nothing(reader: Client):
    await reader.jobs.get()
    await refused(reader.create(), 403, "forbidden", "missingScope", "Goals-Export.ReadWrite.All")


async def a_member_whom_the_policy_does_not_admit_creates_nothing(member: Client, owner: Client):
    await refused(member.create(), 403, "forbidden", "exportNotPermitted", "does not allow you to export")
    assert (await member.jobs.get()).value == []
    job = (await owner.jobs.get()).value[0]
    await refused(member.job(job.id).get(), 404, "notFound", "exportJobNotFound", "not found")


# Servers that are short of time.


async def a_throttled_client_waits_and_goes_on(client: Client):
    # More at once than the server admits: the SDK waits as Retry-After says, and every call succeeds at last.
    options = [HeadersInspectionHandlerOption() for _ in range(5)]
    await asyncio.gather(*(client.jobs.get(with_options(headers=headers)) for headers in options))
    # The SDK keeps the headers of all answers of a call; only one that was refused first has this.
    told = [headers for headers in options if headers.response_headers.try_get("retry-after")]
    assert 1 <= len(told) <= 3, f"{len(told)} of 5 calls were told to wait"


async def an_expired_export_is_gone(client: Client):
    created = await client.create()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while created.id in {job.id for job in (await client.jobs.get()).value}:
        assert time.monotonic() < deadline, "it is still there"
        await asyncio.sleep(0.2)
    await refused(client.job(created.id).get(), 404, "notFound", "exportJobNotFound", "not found")
    await refused(client.job(created.id).content.get(), 404, "notFound", "exportJobNotFound", "not found")


async def run_all(program: str) -> Checks:
    checks = Checks()
    with goalpost.demo(program, goals=200) as (server, owner_email):
        owner_token = server.token(owner_email)
        reader_token = server.token(owner_email, "--scope", "Goals-Export.Read.All", "--ttl", "10m")
        people = server.json("user", "list", "--organization", ORGANIZATION)
        member = next(
            person for person in people
            if person["role"] == "Member" and person["status"] == "active" and person["email"]
        )
        member_token = server.token(member["email"])
        failing = server.json("view", "create", "--organization", ORGANIZATION, "--name", "Failing")["id"]

        slow = ("not-started=400ms", "running=600ms", "retry-after=1", f"fail-view={failing}")
        with server.serve(*slow) as address:
            owner = Client(address, owner_token)
            await owner.jobs.get()  # The SDK's models take seconds to import, before the first call only.
            await checks.run(an_export_is_created_polled_and_downloaded, owner)
            await checks.run(every_state_is_seen_on_the_way, owner)
            await checks.run(a_second_export_of_the_pair_is_refused_with_the_first_ones_id, owner)
            await checks.run(of_simultaneous_requests_one_creates, owner)
            await checks.run(content_of_a_pending_export_is_refused, owner)
            await checks.run(a_failed_export_says_so_and_has_no_content, owner, failing)
            await checks.run(a_wrong_pair_is_refused, owner)
            await checks.run(a_wrong_key_is_refused, owner)
            await checks.run(exports_are_filtered_by_organization, owner)
            await checks.run(exports_are_listed_page_by_page, owner)
            await checks.run(exports_are_counted, owner)
            await checks.run(only_what_is_selected_is_answered, owner)
            await checks.run(options_that_are_not_offered_are_refused, owner)
            await checks.run(methods_that_are_not_offered_are_refused, owner)
            await checks.run(without_a_good_token_nothing_is_answered, address)
            await checks.run(a_token_to_read_creates_nothing, Client(address, reader_token))
            await checks.run(
                a_member_whom_the_policy_does_not_admit_creates_nothing, Client(address, member_token), owner
            )
        with server.serve("burst=2") as address:
            await checks.run(a_throttled_client_waits_and_goes_on, Client(address, owner_token))
        with server.serve("expire-after=1s") as address:
            await checks.run(an_expired_export_is_gone, Client(address, owner_token))
    return checks


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python msgraph_beta_sdk.py PATH-OF-GOALPOST", file=sys.stderr)
        return 2
    checks = asyncio.run(run_all(sys.argv[1]))
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed or not checks.passed else 0


if __name__ == "__main__":
    sys.exit(main())
