"""How long the stages of an answer may take: settings, which `config` reads."""

from typing import Self

from pydantic import BaseModel, Field, model_validator


class StageBudget(BaseModel):
    """What one stage may take."""

    seconds: float = Field(gt=0)
    """Longest wait for the stage, in seconds."""

    reserve: float = Field(ge=0)
    """Seconds of the deadline kept back for the stages after it."""

    least_share: float = Field(default=0.25, gt=0, le=1)
    """Share of `seconds` that a learnt budget is at least."""

    stage: str = ""
    """Name of the stage; filled in."""

    learn: bool = False
    """Whether it is learnt; filled in."""


class Budgets(BaseModel):
    """Budgets of the stages of an answer."""

    # Beyond the NLU's own 0.5 s for its model, so that a stuck model costs the vector alone.
    nlu: StageBudget = StageBudget(seconds=0.8, reserve=0.25)
    profile: StageBudget = StageBudget(seconds=0.3, reserve=0.25)
    retrieval: StageBudget = StageBudget(seconds=1.5, reserve=0.12)
    # Some 7 ms a product on two cores that do nothing else.
    cross: StageBudget = StageBudget(seconds=0.6, reserve=0.2)
    ranking: StageBudget = StageBudget(seconds=0.5, reserve=0.08)
    products: StageBudget = StageBudget(seconds=0.8, reserve=0.04)
    reason: StageBudget = StageBudget(seconds=0.6, reserve=0.01)
    # Up to 2 s of it are the encoder's, for hundreds of sentences that are new.
    summary: StageBudget = StageBudget(seconds=4.0, reserve=0.02)
    recommend: StageBudget = StageBudget(seconds=0.5, reserve=0.25)
    # Beside the products of the page, so that it costs a search nothing while they are read.
    ties: StageBudget = StageBudget(seconds=0.1, reserve=0.06)
    # Of which decoding a large picture takes a part.
    pictures: StageBudget = StageBudget(seconds=2.0, reserve=0.25)
    facets: StageBudget = StageBudget(seconds=0.6, reserve=0.01)

    learn: bool = False
    """Whether a stage gets no more than four times the 95th percentile of its last calls, and so
    is given up sooner when it hangs; `seconds` is then the most, a quarter of it the least."""

    @model_validator(mode="after")
    def _name_stages(self) -> Self:
        for name in type(self).model_fields:
            if isinstance(budget := getattr(self, name), StageBudget):
                named = budget.model_copy(update={"stage": name, "learn": self.learn})
                setattr(self, name, named)
        return self
