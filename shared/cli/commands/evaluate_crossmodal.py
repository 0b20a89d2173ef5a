"""`wherefore eval crossmodal`: how well texts find pictures, offline."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.extras import require_extra
from shared.cli.options import Json

if TYPE_CHECKING:
    from services.nlu.pictures.evaluation.outcome import CrossmodalEvaluation


def crossmodal(
    *,
    data: Annotated[Path, Parameter(help="Folder of the `luma` shop, with its pictures.")],
    model: Annotated[
        str | None,
        Parameter(
            help="Entry of the model repository, or the path of a folder with a CLIP-type model "
            "(./clip); the embedded one when absent."
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Measure how well texts find pictures and pictures texts, offline.

    Needs no service, and the extras `pictures` and `train`. Queries are of products that
    the embedded model has not learnt from (a fifth, by a fixed split); ranked are single
    pictures, all of the shop.

    text -> picture: the listing of a product in one colour ("Hero Hoodie, gray. Men,
    Hoodies & Sweatshirts") finds a picture of it in that colour. picture -> text: a
    picture finds its listing among all. like this but: a picture and another colour find
    the product in that colour.

    Beside it stands a baseline: the mean histogram of the colour word, and a category that
    a logistic regression reads from histograms; both learnt from the same products.

    For example:

        wherefore eval crossmodal --data luma

        wherefore eval crossmodal --data luma --model ./clip-vit-base-patch32 --json
    """
    require_extra("pictures", ("PIL",))
    require_extra("train", ("sklearn",))
    from shared.catalogue import CatalogueError
    from shared.errors import UnavailableError

    try:
        found = asyncio.run(_measure(data, model))
    except (CatalogueError, UnavailableError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    if json:
        output.print_json(found.as_json())
    else:
        from shared.cli.crossmodal_evaluation_view import tables

        for table in tables(found):
            output.console().print(table)
    return failures.OK


async def _measure(data: Path, model: str | None) -> CrossmodalEvaluation:
    from services.nlu.pictures.evaluation.run import evaluate_crossmodal
    from services.nlu.pictures.opening import open_dual_encoder
    from shared.cli.evaluation_progress import picture_progress
    from shared.inference import InferenceSettings
    from shared.inference.settings import PICTURE_MODEL

    encoder = open_dual_encoder(model or PICTURE_MODEL, InferenceSettings(backend="onnx"))
    try:
        with picture_progress(len(list((data / "images").glob("*.jpg"))) or None) as on_pictures:
            return await evaluate_crossmodal(data, encoder, on_pictures)
    finally:
        await encoder.close()
