"""What runs: one flow a file, named verb_noun, no classes and no logic in them."""
