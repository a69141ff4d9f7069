"""What is optimised at which rate, and how the rate falls (paper §4.3.1)."""

POWER = 0.9  # of the polynomial, nnU-Net's own


def parameter_groups(network, protocol):
    """Return AdamW's groups: all that is trained, the encoder at a rate of its own.

    What a frozen encoder has to learn anew, its first convolution, learns as the decoder does.
    """
    encoder = {id(p) for p in network.encoder.parameters()} if _trained(network) else set()
    groups = {True: [], False: []}
    for parameter in network.parameters():
        if parameter.requires_grad:
            groups[id(parameter) in encoder].append(parameter)
    rates = {True: protocol.encoder_learning_rate, False: protocol.learning_rate}
    return [
        {"params": groups[own], "lr": rates[own], "weight_decay": protocol.weight_decay}
        for own in (False, True)
        if groups[own]
    ]


def rate_share(protocol, flat):
    """Return the function epoch → share of the first rate, of a 2-D or a 3-D encoder."""
    if flat and protocol.schedule_2d == "linear":
        return lambda epoch: 1 - epoch / protocol.epochs
    return lambda epoch: (1 - epoch / protocol.poly_epochs) ** POWER


class RateSchedule:
    """Sets the rates of an optimiser's groups at the start of an epoch."""

    def __init__(self, optimizer, share):
        self.optimizer, self.share = optimizer, share
        self.rates = [group["lr"] for group in optimizer.param_groups]

    def step(self, epoch):
        """Set the rates of an epoch, counted from 0."""
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * self.share(epoch)


def _trained(network):
    return all(parameter.requires_grad for parameter in network.encoder.parameters())
