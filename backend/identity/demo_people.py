"""The people of the demo directory: one for each role, one through groups, one without a role."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

MANY_GROUPS = 214
KUALA_LUMPUR_FLEET = "5b0f3c1e-8f2b-4f0a-9a3d-6d1f0c7e2a14"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Someone to sign in as; `groups` are told to Graph only, as when a token has no room."""

    key: str
    name: str
    title: str
    place: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def oid(self) -> str:
        """The directory's object id."""
        return str(uuid5(NAMESPACE_URL, f"waypost-demo:{self.key}"))

    @property
    def email(self) -> str:
        """The sign-in name."""
        return f"{self.key}@waypost.example"

    @property
    def initials(self) -> str:
        """The first letters of the first and the last name."""
        words = self.name.split()
        return words[0][0] + words[-1][0]


def _groups(*told: str) -> tuple[str, ...]:
    rest = (str(UUID(int=number)) for number in range(1, MANY_GROUPS + 1 - len(told)))
    return (*told, *rest)


PEOPLE: tuple[DemoPerson, ...] = (
    DemoPerson("ananya.iyer", "Ananya Iyer", "Admin", "Everywhere", ("admin",)),
    DemoPerson(
        "niran.phongphit",
        "Niran Phongphit",
        "Fleet manager",
        "Bangkok",
        ("fleet_manager.TH-10",),
    ),
    DemoPerson(
        "meera.kulkarni",
        "Meera Kulkarni",
        "Support agent",
        "Bengaluru",
        ("support_agent.IN-KA",),
    ),
    DemoPerson("arjun.menon", "Arjun Menon", "Support lead", "India", ("support_lead.IN",)),
    DemoPerson("nguyen.thi.lan", "Nguyễn Thị Lan", "Viewer", "Ho Chi Minh City", ("viewer.VN-SG",)),
    DemoPerson("kavindu.perera", "Kavindu Perera", "Auditor", "Everywhere", ("auditor",)),
    DemoPerson(
        "siti.aminah",
        "Siti Aminah",
        "Fleet manager",
        "Kuala Lumpur, through a group",
        groups=_groups(KUALA_LUMPUR_FLEET),
    ),
    # Sensitive flags need a second person.
    DemoPerson("dewi.lestari", "Dewi Lestari", "Admin", "Everywhere", ("admin",)),
    DemoPerson("maria.santos", "Maria Santos", "No role yet", "Manila"),
)
BY_KEY = {person.key: person for person in PEOPLE}
