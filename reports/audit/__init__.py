"""Every published number again, from the answers per item alone, by code that shares nothing with what made it first."""
