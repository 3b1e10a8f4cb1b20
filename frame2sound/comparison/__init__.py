"""Which of several brains hears better: trained alike, judged alike, and how sure that is."""
