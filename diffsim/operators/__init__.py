"""Operators with their boundary conditions: stencils, boxes, networks of conductances."""
