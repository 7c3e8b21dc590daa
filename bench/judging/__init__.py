"""A model behind an API as the judge of two rows' answers: what is compared, how it is asked, and what is kept."""
