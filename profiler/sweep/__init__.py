"""`tailq-profile sweep`: quality at deadlines under other factors than time."""
