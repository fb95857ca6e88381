"""Operations: what validates and deploys the product past one machine."""
