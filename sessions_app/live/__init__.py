"""The live push: what changed is published on commit, and one hub per web process tells the viewers."""
