import pytest
import torch

from services.nlu.train.fake_quantisation import add_rounding, round_activations


def test_there_are_256_steps_and_the_gradient_goes_straight_through():
    values = torch.randn(50, 40, requires_grad=True)
    rounded = round_activations(values)
    assert len(torch.unique(rounded.detach())) <= 256
    step = float((values.max() - values.min()).detach()) / 255
    assert float((rounded - values).detach().abs().max()) <= step / 2 + 1e-6
    rounded.sum().backward()
    torch.testing.assert_close(values.grad, torch.ones_like(values))


def test_zeros_stay():
    torch.testing.assert_close(round_activations(torch.zeros(3)), torch.zeros(3))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_only_training_rounds_and_low_rank_parts_count_once():
    from transformers import BertConfig, BertModel

    from services.nlu.train.tuning import Tuning, wrap

    torch.manual_seed(0)
    encoder = BertModel(
        BertConfig(
            vocab_size=20,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    )
    tuned = wrap(encoder, Tuning.LORA, rank=2)
    for name, module in tuned.named_modules():
        if "dropout" in name:
            module.p = 0.0
    hooks = add_rounding(tuned)
    assert len(hooks) == 7  # query, key, value, three dense layers, and the pooler
    ids = torch.tensor([[1, 2, 3]])
    exact = tuned.eval()(ids).last_hidden_state
    noisy = tuned.train()(ids).last_hidden_state
    assert not torch.equal(exact, noisy)
    for hook in hooks:
        hook.remove()
    torch.testing.assert_close(tuned(ids).last_hidden_state, exact)
