"""The validation rules of a county, by what they look at: ground, hazards, people, movements."""
