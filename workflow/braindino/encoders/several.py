"""Several frozen encoders in one job."""

from braindino.device import choose_device
from braindino.encoders.build import build_encoder
from braindino.files import sha256
from braindino.settings.encoders import EncoderCard, Features


def build_several(params, shared, pretrained):
    """Build the encoders of a job.

    Parameters
    ----------
    params : dict
        cards and weights, a value an encoder, as plain values.
    shared : dict
        features, device, batch and seed, as `build_encoder` takes them.
    pretrained : path or None
        What this run's own pretraining wrote.

    Returns
    -------
    encoders : dict
        name → braindino.encoders.encoder.Encoder
    checksums : list of str or None
        Of their files of weights.
    """
    encoders, checksums = {}, []
    device, settings = choose_device(shared["device"]), Features(**shared["features"])
    for values, published in zip(params["cards"], params["weights"], strict=True):
        card = EncoderCard(**values)
        weights = pretrained if card.source == "recipe" else published
        encoder = build_encoder(card, weights, settings, device, shared["batch"], shared["seed"])
        encoders[card.name] = encoder
        checksums.append(sha256(weights) if weights else None)
    return encoders, checksums
