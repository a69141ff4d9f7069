"""Reporting: tables, figures, published against reproduced, and the HTML report."""
