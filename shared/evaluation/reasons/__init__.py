"""How true, fitting and varied the reasons of a running suite are."""
