"""Images: references, archives, content store, layers and merged trees."""
