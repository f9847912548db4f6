"""Calls to AWS: clients, retries and time limits, and what an error means for what is being listed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal

from penstock.errors import NotAllowed, NotReachable, WrongUse

#: Seconds to wait for a connection and for an answer; attempts at one call, with growing pauses between them.
CONNECT, ANSWER, ATTEMPTS = 5, 30, 6
#: Calls that are under way at the same time.
PARALLEL = 16
#: Where services that know no regions are asked.
HOME = "us-east-1"

Kind = Literal["refused", "ended", "gone", "offered", "busy", "token", "broken"]
_REFUSED = ("AccessDenied", "Unauthorized", "NotAuthorized", "Forbidden", "OptInRequired", "SubscriptionRequired")
_ENDED = (
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException",
    "InvalidAccessKeyId", "TokenRefreshRequired", "SignatureDoesNotMatch",
)  # fmt: skip
_BUSY = ("Throttl", "TooManyRequests", "SlowDown", "RequestLimitExceeded", "LimitExceeded", "ServiceUnavailable")
_GONE = ("NotFound", "NoSuch", "DoesNotExist", "ClusterNotFound", "AWSOrganizationsNotInUse")
_TOKEN = ("InvalidNextToken", "InvalidToken", "InvalidPaginationToken", "ValidationException", "InvalidMarker")


@dataclass(frozen=True, slots=True)
class Trouble(Exception):
    """A call that gave nothing. ``ended``: the credentials, so that no further call will be answered."""

    kind: Kind
    why: str


class Account:
    """One account, as the credentials lead to it; its clients are made once for each service and region."""

    def __init__(self, session: Any, *, parallel: int = PARALLEL) -> None:
        self._session = session
        self._parallel = parallel
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self.id = self.partition = ""

    def known(self) -> Account:
        """Ask whose the credentials are.

        Raises:
            NotAllowed: there are none, or they are no longer valid.
            NotReachable: nobody answers.
        """
        try:
            said = self.ask("sts", self._session.region_name or HOME, "GetCallerIdentity", {})
        except Trouble as trouble:
            kind = NotReachable if trouble.kind in ("broken", "busy") else NotAllowed
            raise kind(f"AWS does not say whose credentials these are: {trouble.why}", "sts", _SIGN_IN) from None
        self.id = str(said["Account"])
        self.partition = str(said["Arn"]).split(":")[1]
        return self

    def regions(self) -> tuple[str, ...]:
        """The regions that are enabled.

        Raises:
            Trouble: they may not be listed.
        """
        said = self.ask("ec2", self._session.region_name or HOME, "DescribeRegions", {})
        return tuple(sorted(str(region["RegionName"]) for region in said.get("Regions", ())))

    @property
    def region(self) -> str:
        """The region that the environment or the profile names; empty for none."""
        return str(self._session.region_name or "")

    def ask(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer to one call.

        Raises:
            Trouble: there is none, and why.
        """
        from botocore import exceptions as wrong
        from botocore import xform_name
        from botocore.parsers import ResponseParserError

        try:
            answer: dict[str, Any] = getattr(self._client(service, region), xform_name(operation))(**parameters)
        except wrong.ClientError as error:
            raise _trouble(error.response) from None
        except (wrong.NoCredentialsError, wrong.PartialCredentialsError, wrong.TokenRetrievalError) as error:
            raise Trouble("ended", str(error)) from None
        except (wrong.SSOTokenLoadError, wrong.UnauthorizedSSOTokenError, wrong.CredentialRetrievalError) as error:
            raise Trouble("ended", str(error)) from None
        except (wrong.BotoCoreError, ResponseParserError, ValueError, AttributeError) as error:
            # cut-off answers, timeouts, calls that this boto3 does not know
            raise Trouble("broken", " ".join(str(error).split())[:200] or type(error).__name__) from None
        if _broken_off(answer):
            raise Trouble("broken", "its answer breaks off")
        return answer

    def offers(self, service: str, region: str) -> bool:
        """Whether a service is offered in a region, as far as is known."""
        with self._lock:
            known = self._session.get_available_regions(service, self.partition or "aws")
        return not known or region in known

    def _client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._session.client(
                    service,
                    region_name=region,
                    config=Config(
                        connect_timeout=CONNECT,
                        read_timeout=ANSWER,
                        retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
                        max_pool_connections=self._parallel,
                        user_agent_appid="penstock",
                        parameter_validation=False,
                    ),
                )
            return self._clients[service, region]


def signed_in(profile: str = "") -> Account:
    """The account of the environment's credentials, or of a profile.

    Raises:
        WrongUse: what it needs is not installed, or there is no such profile.
        NotAllowed: there are no valid credentials.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise WrongUse("Looking into AWS needs boto3", "penstock[aws]", "pip install 'penstock[aws]'") from None
    try:
        session = boto3.Session(profile_name=profile or None)
    except BotoCoreError as error:
        raise WrongUse(str(error).rstrip("."), profile, "List them: aws configure list-profiles") from None
    return Account(session).known()


_SIGN_IN = "Sign in (aws sso login, or AWS_PROFILE=…) and try again; what was listed is kept"


def _broken_off(answer: dict[str, Any]) -> bool:
    """Whether JSON was sent of which nothing could be read: botocore takes half of an answer for an empty one."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    nothing = answer.keys() <= {"ResponseMetadata", "message"}
    length = str(headers.get("content-length", ""))
    return nothing and "json" in headers.get("content-type", "") and length.isdigit() and int(length) > len("{}")


def _trouble(response: dict[str, Any]) -> Trouble:
    said = response.get("Error", {})
    code, message = str(said.get("Code", "")), " ".join(str(said.get("Message", "")).split())[:200]
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    why = f"{code}: {message}" if message else code
    if code in _ENDED:
        return Trouble("ended", why)
    if any(word in code for word in _REFUSED) or status == 403:
        return Trouble("refused", why)
    if any(word in code for word in _BUSY) or status == 429:
        return Trouble("busy", why)
    if any(word in code for word in _GONE):
        return Trouble("gone", why)
    return Trouble("token" if code in _TOKEN else "broken", why)
