"""Training over several shops' data that stays where it is: federated averaging by Flower."""
