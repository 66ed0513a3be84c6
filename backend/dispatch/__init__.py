"""Orders from marketplace to doorstep: intake, matching, routes, the driver's doorway and proof."""
