"""How well texts find pictures and pictures texts, on products that nothing was learnt from."""
