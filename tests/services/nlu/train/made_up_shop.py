"""A shop in the form of luma with a handful of drawn garments, for training in seconds."""

import csv
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = {"red": (200, 30, 40), "blue": (40, 60, 200), "green": (40, 150, 60)}
KINDS = {
    "Men/Tops/Tees": ("Tee", [(30, 20, 70, 70), (10, 20, 90, 40)]),
    "Women/Bottoms/Pants": ("Pant", [(30, 30, 45, 110), (55, 30, 70, 110)]),
}
PRODUCTS = 12


def make_shop(folder: Path) -> Path:
    """Twelve products of two kinds, each in three colours, with two pictures a colour."""
    (folder / "images").mkdir(parents=True)
    rows: list[dict[str, str]] = []
    for number in range(PRODUCTS):
        (path, (noun, boxes)) = list(KINDS.items())[number % 2]
        sku = f"MT{number:02}"
        pattern = "Solid" if number % 3 else "Striped"
        rows.append(
            {
                "sku": sku,
                "product_type": "configurable",
                "categories": f"Default Category/{path}",
                "name": f"Model{number} {noun}",
                "description": f"<p>A {noun}.</p>",
                "price": "20",
                "base_image": f"/m/t/{sku.lower()}-red_main.jpg",
                "additional_attributes": f"pattern={pattern},style_general=Basic",
            }
        )
        for colour, rgb in COLOURS.items():
            picture = Image.new("RGB", (100, 125), "white")
            draw = ImageDraw.Draw(picture)
            for left, top, right, bottom in boxes:
                draw.rectangle((left, top + number % 5, right, bottom), fill=rgb)
            for view in ("main", "back"):
                picture.save(folder / "images" / f"{sku.lower()}-{colour}_{view}.jpg")
    with (folder / "ConfigurableSampleData_products.csv").open(
        "w", encoding="utf-8", newline=""
    ) as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder
