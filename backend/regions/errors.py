"""What the regions context refuses, and why."""

from __future__ import annotations

from collections.abc import Sequence

from backend.platform.errors import Conflict, FieldError, Invalid, NotFound
from backend.regions.rules import Fault


class RegionNotFound(NotFound):
    """No such region, or not one the caller may see."""

    code = "region_not_found"
    title = "There is no such region"


class GeofenceNotFound(NotFound):
    """No such geofence, or not one the caller may see."""

    code = "geofence_not_found"
    title = "There is no such geofence"


class GeofenceNameTaken(Conflict):
    """Another geofence of this kind holds the name in the region."""

    code = "geofence_name_taken"
    title = "A geofence of this kind has this name already"


class InvalidGeofence(Invalid):
    """The geofence's region or geometry is wrong."""

    code = "invalid_geofence"
    title = "The geofence is not right"


def invalid_geometry(faults: Sequence[Fault]) -> InvalidGeofence:
    """The refusal that names each wrong part of a geometry."""
    errors = [FieldError(f"/geometry{f.pointer}", f.code, f.detail) for f in faults]
    return InvalidGeofence(faults[0].detail, errors=errors)
