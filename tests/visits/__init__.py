"""Where visits come from: rules by table, by property, and through the command."""
