"""What bench/run peers measures: arnn against what people use for the same, in one run."""
