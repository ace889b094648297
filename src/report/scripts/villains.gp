length = "total"; first = "negative"; last = "positive"; by = first; ends = negative
