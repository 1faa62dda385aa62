"""What modes are made of: networks trained together, answers to rows that were held out, rows that are made up."""
