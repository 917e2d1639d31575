from rest_framework.routers import SimpleRouter

from knowledge.api import ArticleViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/v1/articles", ArticleViewSet, basename="article")
urlpatterns = router.urls
