"""One screen a module: a component of the desk and the route."""
