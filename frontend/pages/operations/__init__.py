"""Operations: how the service does, and what operators and admins do by hand."""
