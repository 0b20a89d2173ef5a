"""Who may do what: certificates, credentials, authorisation, limits and the audit log."""
