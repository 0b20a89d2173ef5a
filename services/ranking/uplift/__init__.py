"""What a property of a shown product does to clicks and purchases, estimated from logged pages."""
