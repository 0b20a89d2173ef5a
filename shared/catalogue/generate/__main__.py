"""Entry point of the generator."""

from shared.catalogue.generate.command import app

if __name__ == "__main__":
    app()
