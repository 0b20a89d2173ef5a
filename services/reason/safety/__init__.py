"""What a reason must never say, whatever its evidence: banned claims, abuse, personal data."""
