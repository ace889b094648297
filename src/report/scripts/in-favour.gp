length = "total"; first = "positive"; last = "negative"; by = first; ends = positive
