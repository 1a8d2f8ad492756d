"""From localizations to the super-resolved image: tiles, files, colours."""
